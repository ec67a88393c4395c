"""Images that cannot be pulled: a slip is corrected, a registry's refusal is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from remediator.remedies.engine.image_reference import ImageReference
from tests.unit.remedies.small_repository import POD, Outcome, application, events, propose, shop, workload

IMAGE = "spec.template.spec.containers.0.image"


def not_found(image: str) -> str:
    why = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    return events(
        ("Failed", POD, f'Failed to pull image "{image}": rpc error: code = NotFound desc = {why}'),
        ("Failed", POD, "Error: ErrImagePull"),
    )


def invalid(image: str) -> str:
    return events(
        (
            "InspectFailed",
            POD,
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format',
        ),
        ("Failed", POD, "Error: InvalidImageName"),
    )


def denied(image: str) -> str:
    return events(
        (
            "Failed",
            POD,
            f'Failed to pull image "{image}": failed to resolve reference "{image}": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
        )
    )


def no_host(image: str) -> str:
    host = image.partition("/")[0]
    return events(
        (
            "Failed",
            POD,
            f'Failed to pull image "{image}": failed to do request: Head "https://{host}/v2/": dial tcp: lookup {host} on 10.0.0.2:53: no such host',
        )
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nginx", ("", "nginx", "", "")),
        ("nginx:1.25", ("", "nginx", "1.25", "")),
        ("registry:5000/a/b", ("registry:5000", "a/b", "", "")),
        ("ghcr.io/a/b:v1@sha256:ff", ("ghcr.io", "a/b", "v1", "sha256:ff")),
        ("localhost/x:y", ("localhost", "x", "y", "")),
    ],
)
def test_a_reference_is_read_as_the_distribution_spec_has_it(text: str, parts: tuple[str, ...]) -> None:
    reference = ImageReference.parse(text)
    assert (reference.registry, reference.repository, reference.tag, reference.digest) == parts
    assert str(reference) == text


@pytest.mark.parametrize(
    ("wrong", "sibling", "right"),
    [
        ("example.com/web:1.17.-0", "", "example.com/web:1.17.0"),
        ("example.com/web:latset", "", "example.com/web:latest"),
        ("postgres:15-alpin", "", "postgres:15-alpine"),
        ("example.com/web:2.0", "example.com/web:1.9", "example.com/web:1.9"),
        ("example.com/shop/wbe-server:2.0", "example.com/shop/web-server:1.9", "example.com/shop/web-server:2.0"),
        ("example.com/shop/webb:2.0", "", "example.com/shop/web:2.0"),
        ("example.com/web:1.2l.0", "", "example.com/web:1.21.0"),
    ],
)
def test_a_slip_is_corrected(tmp_path: Path, wrong: str, sibling: str, right: str) -> None:
    more = {"other": workload({"image": sibling}, name="other")} if sibling else {}
    assert propose(tmp_path, shop(web=workload({"image": wrong}), **more), not_found(wrong)).value(IMAGE) == right


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("example.com/Shop/web:1", "example.com/shop/web:1"),
        ("example.com/web::1", "example.com/web:1"),
        ("https://example.com/web:1", "example.com/web:1"),
        ("example.com/web:", "example.com/web"),
    ],
)
def test_a_reference_that_breaks_the_grammar_is_written_as_it_is_meant(tmp_path: Path, wrong: str, right: str) -> None:
    assert propose(tmp_path, shop(web=workload({"image": wrong})), invalid(wrong)).value(IMAGE) == right


def test_an_official_image_is_known_by_name(tmp_path: Path) -> None:
    assert (
        propose(tmp_path, shop(web=workload({"image": "ngnix:1.25"})), denied("docker.io/library/ngnix:1.25")).value(
            IMAGE
        )
        == "nginx:1.25"
    )


def test_a_misspelt_registry_is_corrected(tmp_path: Path) -> None:
    assert (
        propose(tmp_path, shop(web=workload({"image": "ghrc.io/shop/web:1"})), no_host("ghrc.io/shop/web:1")).value(
            IMAGE
        )
        == "ghcr.io/shop/web:1"
    )


def test_the_tag_of_before_comes_first(tmp_path: Path) -> None:
    old, new = (
        shop(
            web=workload({"image": f"example.com/web:{tag}"}),
            other=workload({"image": "example.com/web:3"}, name="other"),
        )
        for tag in ("1.9", "2.0-rc9")
    )
    assert (
        propose(tmp_path, new, not_found("example.com/web:2.0-rc9"), before=[old]).value(IMAGE) == "example.com/web:1.9"
    )


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("example.com/web:2.0-rc9", not_found("example.com/web:2.0-rc9")),
        ("example.com/web:1.0", not_found("example.com/web:1..0")),
        ("ghcr.io/shop/web:1", no_host("ghcr.io/shop/web:1")),
        ("registry.internal/shop/web:1", no_host("registry.internal/shop/web:1")),
        ("example.com/web:1", denied("example.com/web:1")),
        (
            "example.com/web:1",
            events(
                (
                    "Failed",
                    POD,
                    'Failed to pull image "example.com/web:1": toomanyrequests: You have reached your pull rate limit',
                )
            ),
        ),
        (
            "example.com/web:1",
            events(
                (
                    "Failed",
                    POD,
                    'Failed to pull image "example.com/web:1": no match for platform in manifest: not found',
                )
            ),
        ),
    ],
    ids=["unknown", "mended", "dns-down", "inside", "denied", "limit", "platform"],
)
def test_what_no_name_can_mend_is_left_alone(tmp_path: Path, image: str, text: str) -> None:
    assert not propose(tmp_path, shop(web=workload({"image": image})), text).changed


def test_a_refused_login_takes_back_a_name_but_no_tag(tmp_path: Path) -> None:
    old, new = (shop(web=workload({"image": f"example.com/{name}:1"})) for name in ("shop/web", "sohp/web"))
    assert (
        propose(tmp_path, new, denied("example.com/sohp/web:1"), before=[old]).value(IMAGE) == "example.com/shop/web:1"
    )


@pytest.mark.parametrize(
    "why",
    [
        "unexpected status from HEAD request to https://example.com/v2/web/manifests/1.1: 403 Forbidden",
        "unexpected status: 503 Service Unavailable",
    ],
)
def test_a_registry_that_refuses_takes_back_no_tag(tmp_path: Path, why: str) -> None:
    old, new = (shop(web=workload({"image": f"example.com/web:{tag}"})) for tag in ("1.0", "1.1"))
    text = events(
        (
            "Failed",
            POD,
            f'Failed to pull image "example.com/web:1.1": failed to resolve reference "example.com/web:1.1": {why}',
        )
    )
    assert not propose(tmp_path, new, text, before=[old]).changed


def test_the_tag_of_another_environment_is_no_correction(tmp_path: Path) -> None:
    told = _two(tmp_path, wrong="example.com/web:2.3.0", neighbour="", elsewhere="example.com/web:2.4.0-rc1")
    assert told.changed == {}


def test_a_slip_in_a_version_needs_no_other(tmp_path: Path) -> None:
    told = _two(tmp_path, wrong="example.com/web:2.l.0", neighbour="", elsewhere="example.com/web:2.4.0-rc1")
    assert told.value("spec.template.spec.containers.0.image") == "example.com/web:2.1.0"


def test_the_one_tag_of_the_neighbours_is_a_correction(tmp_path: Path) -> None:
    told = _two(
        tmp_path, wrong="example.com/web:9.9.9", neighbour="example.com/web:2.4.0", elsewhere="example.com/web:2.5.0"
    )
    assert told.value("spec.template.spec.containers.0.image") == "example.com/web:2.4.0"


def _two(folder: Path, *, wrong: str, neighbour: str, elsewhere: str) -> Outcome:
    """An image that does not exist, what another workload of the Application runs, and what another Application runs."""
    files = shop(
        web=workload({"image": wrong}), **({"more": workload({"image": neighbour}, name="more")} if neighbour else {})
    )
    files["apps/staging.yaml"] = yaml.safe_dump(application("staging", "staging", "staging"))
    files["staging/web.yaml"] = yaml.safe_dump(workload({"image": elsewhere}))
    return propose(folder, files, not_found(wrong))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("k8s.gcr.io/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("docker.io/bitnami/redis:7.2.4", "docker.io/bitnamilegacy/redis:7.2.4"),
        ("bitnami/redis:7.2.4", "bitnamilegacy/redis:7.2.4"),
    ],
)
def test_an_image_follows_the_move_of_its_publisher(tmp_path: Path, old: str, new: str) -> None:
    assert propose(tmp_path, shop(web=workload({"image": old})), not_found(old)).value(IMAGE) == new


def test_an_image_of_no_known_move_is_left_alone(tmp_path: Path) -> None:
    image = "example.com/bitnami/redis:7.2.4"
    assert not propose(tmp_path, shop(web=workload({"image": image})), not_found(image)).changed


def chart_of(values: str) -> dict[str, str]:
    """Return a repository whose chart puts the image together from a registry, a repository and a tag."""
    return {
        **shop(),
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "web/templates/web.yaml": yaml.safe_dump(workload()).replace("example.com/web:1.0", f"'{values}'"),
    }


def test_name_and_tag_go_back_together(tmp_path: Path) -> None:
    chart = chart_of("{{ .Values.image.repository }}:{{ .Values.image.tag }}")
    values = "image:\n  repository: {}\n  tag: {}\n"
    now = {**chart, "web/values.yaml": values.format("ghcr.io/other/web", "v2.0.1")}
    old = {"web/values.yaml": values.format("example.com/web", "v1.9.0-3")}
    told = propose(tmp_path, now, not_found("ghcr.io/other/web:v2.0.1"), before=[old])
    assert told.changed["web/values.yaml"] == old["web/values.yaml"]


def test_a_name_goes_back_alone_where_another_commit_set_the_tag(tmp_path: Path) -> None:
    chart = chart_of("{{ .Values.registry }}/shop/{{ .Values.app.image }}:{{ .Values.app.version }}")
    values = "registry: example.com\napp:\n  image: {}\n  version: '{}'\n"
    states = [{"web/values.yaml": values.format(*pair)} for pair in (("web", "1.1"), ("webb", "1.1"), ("webb", "1.2"))]
    now = {**chart, **states[-1]}
    told = propose(tmp_path, now, not_found("example.com/shop/webb:1.2"), before=states[:2])
    assert told.changed == {"web/values.yaml": values.format("web", "1.2")}


def test_a_name_that_no_commit_rendered_is_not_set(tmp_path: Path) -> None:
    chart = chart_of("{{ .Values.registry }}/shop/{{ .Values.app.image }}:{{ .Values.app.version }}")
    values = "registry: example.com\napp:\n  image: {}\n  version: '{}'\n"
    now = {**chart, "web/values.yaml": values.format("webb", "1.2")}
    told = propose(tmp_path, now, not_found("example.com/shop/webb:1.2"))
    assert not told.changed
