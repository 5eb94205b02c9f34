// The npm client `socket.io-client`, driven by lines of JSON; its argument is [folder of node_modules, url, options].
// It prints {"heard": NAME, "event": payload} for all that it hears, and answers each line [what, ...arguments]:
// ["emit", NAME, payload], ["transport"], ["disconnect"], ["connect"].
'use strict';

const readline = require('readline');

const [folder, url, options] = JSON.parse(process.argv[2]);
const client = require(`${folder}/node_modules/socket.io-client`);
const socket = (client.io || client)(url, options);
const say = line => console.log(JSON.stringify(line));
const text = reason => (reason && reason.message) || String(reason);

const onevent = socket.onevent;
socket.onevent = function (packet) {
  say({ heard: packet.data[0], event: packet.data[1] === undefined ? null : packet.data[1] });
  return onevent.call(this, packet);
};
socket.on('connect', () => say({ heard: '<connect>', event: null }));
socket.on('disconnect', reason => say({ heard: '<disconnect>', event: reason }));
socket.on('error', reason => say({ heard: '<refused>', event: text(reason) }));
socket.on('connect_error', reason => say({ heard: '<refused>', event: text(reason) }));

const ANSWERS = {
  emit: (name, payload) => socket.emit(name, payload) && true,
  transport: () => socket.io.engine.transport.name,
  disconnect: () => socket.disconnect() && true,
  connect: () => socket.connect() && true,
  stall: milliseconds => {
    const end = Date.now() + milliseconds;
    while (Date.now() < end); // reads nothing meanwhile
    return true;
  },
};

readline.createInterface({ input: process.stdin }).on('line', line => {
  const [what, ...given] = JSON.parse(line);
  say({ result: ANSWERS[what](...given) });
});
