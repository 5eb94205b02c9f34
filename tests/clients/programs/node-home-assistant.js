// The npm client `node-home-assistant`, driven by lines of JSON; its argument is [folder of node_modules, config].
// It prints {"heard": NAME, "event": ...} for all it emits. A line in is [function of its api, ...arguments], and
// ["cached", NAME] asks for what it holds itself; the answer is {"result": ...} or {"error": TEXT}.
'use strict';

const readline = require('readline');

const [folder, config] = JSON.parse(process.argv[2]);
const HomeAssistant = require(`${folder}/node_modules/node-home-assistant`);
const client = new HomeAssistant(config);
const say = line => console.log(JSON.stringify(line));

const emit = client.events.emit;
client.events.emit = function (name, event) {
  say({ heard: name, event: event instanceof Error || event === undefined ? String(event) : event });
  return emit.apply(this, arguments);
};

readline.createInterface({ input: process.stdin }).on('line', async line => {
  const [name, ...given] = JSON.parse(line);
  try {
    say({ result: name === 'cached' ? client[given[0]] || null : await client.api[name](...given) });
  } catch (error) {
    say({ error: String(error) });
  }
});
