// The yardstick of the socket benchmark: Node's socket.io as it comes, telling every client the two events of a write.
// Started with the folder of its modules and a port. It has no home, no permissions and no store.

"use strict";

const http = require("node:http");
const path = require("node:path");

const [modules, port] = process.argv.slice(2);
const { Server } = require(path.join(modules, "socket.io"));

const server = http.createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (piece) => { body += piece; });
  request.on("end", () => {
    if (request.method === "POST") tell(JSON.parse(body));
    const answer = '{"success":true}';
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
    response.end(answer);
  });
});

const io = new Server(server);

// The last word of a greeting, as our hub and pimatic say it.
io.on("connection", (socket) => socket.emit("groups", []));

function tell({ deviceId, value }) {
  io.emit("deviceAttributeChanged", { deviceId, attributeName: "dimlevel", time: Date.now(), value });
  io.emit("variableValueChanged", { variableName: `${deviceId}.dimlevel`, variableValue: value });
}

server.listen(Number(port), "127.0.0.1");
