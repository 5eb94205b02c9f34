// The socket example of pimatic's API guide, with the socket that its `io(…)` gives in place of the library's name.
// Its arguments are the folder of node_modules and the url. It prints one line of JSON for each thing that it hears.
'use strict';

const io = require(`${process.argv[2]}/node_modules/socket.io-client`);
const print = (name, value) => console.log(JSON.stringify({ heard: name, event: value }));

const socket = io(process.argv[3]);
socket.on('connect', function () {
  print('connected', null);

  socket.on('devices', function (devices) {
    print('devices', devices);
  });

  socket.on('rules', function (rules) {
    print('rules', rules);
  });

  socket.on('variables', function (variables) {
    print('variables', variables);
  });

  socket.on('pages', function (pages) {
    print('pages', pages);
  });

  socket.on('groups', function (groups) {
    print('groups', groups);
  });

  socket.on('deviceAttributeChanged', attrEvent => print('deviceAttributeChanged', attrEvent));

  socket.emit('call', {
    id: 'update-variable-call1',
    action: 'updateVariable',
    params: {
      name: 'the-answer',
      type: 'value',
      valueOrExpression: 1337
    }
  });

  socket.on('callResult', function (msg) {
    if (msg.id === 'update-variable-call1') {
      print('callResult', msg);
    }
  });
});
