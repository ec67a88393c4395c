// A small real model behind the part of OpenAI's protocol that Remediator speaks: `node real_model.mjs MODEL.gguf`.
// Prints its port once it listens; answers are valid by grammar and say nothing of value.
import {createServer} from "node:http";
import {getLlama, LlamaChatSession} from "node-llama-cpp";

const threads = Number(process.env.THREADS ?? 1);
const llama = await getLlama({build: "never", gpu: false, maxThreads: threads});
const model = await llama.loadModel({modelPath: process.argv[2]});
const context = await model.createContext({contextSize: 4096, threads});

async function answer(body) {
    const schema = body.response_format?.json_schema?.schema;
    if (body.tools) throw new Error("tools are not supported");
    const [system, user] = body.messages.map((message) => message.content);
    const session = new LlamaChatSession({contextSequence: context.getSequence(), systemPrompt: system});
    try {
        const grammar = schema ? await llama.createGrammarForJsonSchema(schema) : undefined;
        return await session.prompt(user, {grammar, maxTokens: Math.min(body.max_completion_tokens ?? 2000, 2000)});
    } finally {
        session.dispose({disposeSequence: true});
    }
}

const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
        let status = 200, said;
        try {
            const body = JSON.parse(Buffer.concat(chunks).toString());
            const message = {role: "assistant", content: await answer(body)};
            said = {id: "chatcmpl-1", object: "chat.completion", created: 1, model: body.model,
                choices: [{index: 0, finish_reason: "stop", message}]};
        } catch (error) {
            status = 400;
            said = {error: {message: String(error.message ?? error), type: "invalid_request_error"}};
        }
        response.writeHead(status, {"Content-Type": "application/json"});
        response.end(JSON.stringify(said));
    });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
