// Runs decl-api-client.js as a page would: told a list of calls, prints for each what was sent and what came back.
const fs = require("fs");
const vm = require("vm");

const [script, given] = [fs.readFileSync(process.argv[2], "utf8"), JSON.parse(process.argv[3])];
const sent = [];

const page = {
  URLSearchParams,
  console,
  fetch: async (url, options) => {
    sent.push({url, ...options});
    const {status, text} = given.answer;
    return {ok: status < 400, status, statusText: "as told", text: async () => text};
  },
};
if (given.jQuery) {
  page.jQuery = {ajax: settings => { sent.push(settings); return {done: () => "jqXHR"}; }};
}
Object.assign(page, given.before);
page.window = page;
vm.runInNewContext(script, page);

const listeners = {};
const socket = {
  on: (event, listener) => { listeners[event] = listener; },
  emit: (event, call) => {
    sent.push({event, ...call});
    setTimeout(() => {
      listeners.callResult({id: "somebody else's", success: true, result: {}});
      listeners.callResult({id: call.id, ...given.callResult});
    });
  },
};

(async () => {
  const client = new page.DeclApiClient(page.api);
  const operations = given.socket ? client.over(socket) : client.rest;
  let result;
  try {
    const started = operations[given.action](given.params, given.options);
    result = {value: given.jQuery ? started.done() : await started};
  } catch (error) {
    result = {error: error.message, status: error.status, responseJSON: error.responseJSON};
  }
  console.log(JSON.stringify({sent, result, names: Object.keys(operations), pimatic: Object.keys(page.pimatic)}));
})();
