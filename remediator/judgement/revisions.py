"""Revisions that a listing of the repository's branches and tags excludes: no change may lead to one."""

from __future__ import annotations

from remediator.domain.change import Proposal
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.sources.listed_revisions import listed_revisions


def absent_revision(inquiry: Inquiry, proposal: Proposal) -> str:
    """Return the reason why a change of `targetRevision` fails; empty where its new value exists, or nobody listed any."""
    statements = (*inquiry.diagnosis.evidence, *inquiry.diagnosis.context)
    for edit in proposal.edits:
        if edit.path[-1:] != ("targetRevision",) or not isinstance(edit.value, str):
            continue
        for application in inquiry.repository.applications:
            if (application.file, application.document) != (edit.file, edit.document):
                continue
            for source in application.sources:
                if source.pointer == edit.path[:-1] and listed_revisions(statements, source.repo_url).lacks(edit.value):
                    return f"{proposal.title}: `{edit.value}` is not among the branches and tags of {source.repo_url}"
    return ""
