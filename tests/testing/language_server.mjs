// Asks a real YAML language server about one document, as it stands: argv = server, YAML file.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [server, file] = process.argv.slice(2);
const child = spawn(process.execPath, [server, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const send = (message) => {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};
const uri = pathToFileURL(file).href;
const text = readFileSync(file, "utf8");
let buffer = Buffer.alloc(0);
const handle = (message) => {
  if (message.method === "workspace/configuration") {
    send({ id: message.id, result: message.params.items.map(() => ({})) });
  } else if (message.id !== undefined && message.method) {
    send({ id: message.id, result: null });
  } else if (message.id === 1) {
    send({ method: "initialized", params: {} });
    send({ method: "workspace/didChangeConfiguration", params: { settings: { yaml: { validate: true, completion: true, hover: true, schemaStore: { enable: false } } } } });
    send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text } } });
  } else if (message.method === "textDocument/publishDiagnostics" && message.params.uri === uri) {
    process.stdout.write(JSON.stringify(message.params.diagnostics.map((one) => ({ line: one.range.start.line + 1, message: one.message }))));
    child.kill();
    process.exit(0);
  }
};
child.stdout.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const size = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end).toString())[1]);
    if (buffer.length < end + 4 + size) return;
    const message = JSON.parse(buffer.subarray(end + 4, end + 4 + size).toString());
    buffer = buffer.subarray(end + 4 + size);
    handle(message);
  }
});
send({ id: 1, method: "initialize", params: { processId: process.pid, rootUri: null, capabilities: { textDocument: { publishDiagnostics: {} }, workspace: { configuration: true } } } });
setTimeout(() => { child.kill(); process.exit(3); }, 60000);
