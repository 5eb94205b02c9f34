// The npm client `homeassistant`, driven by one line of JSON: [folder of node_modules, how to connect, calls].
// A call is [group or "", function, ...arguments]; each prints {"result": ...} or {"error": TEXT}, one a line.
'use strict';

const [folder, options, calls] = JSON.parse(process.argv[2]);
const HomeAssistant = require(`${folder}/node_modules/homeassistant`);
const client = new HomeAssistant(options);

async function run() {
  for (const [group, name, ...given] of calls) {
    const owner = group ? client[group] : client;
    try {
      console.log(JSON.stringify({ result: await owner[name](...given) }));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error) }));
    }
  }
}

run();
