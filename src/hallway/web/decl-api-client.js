// A client for all operations of this hub, over HTTP and over its socket.
//
//   const client = new DeclApiClient(api);
//   client.rest.getDevices({}).then(answer => answer.devices);
//   client.over(io()).getDeviceById({deviceId: "lamp"}).then(result => result.device);
//
// `rest` gives what jQuery.ajax gives on pages that have jQuery, and a promise of the answer elsewhere.
(function (scope) {
  "use strict";

  const description = "the description of the API";

  // Parameters as they are sent: those of the path in the address, the others beside it.
  function prepare(name, action, given) {
    const data = {};
    let url = action.rest ? action.rest.url : "";
    for (const [key, wanted] of Object.entries(action.params || {})) {
      const value = given[key];
      const missing = value === undefined || value === null;
      if (missing && !wanted.optional) {
        throw new Error(`${name}: expected param ${key}`);
      }
      const inPath = url.split("/").includes(`:${key}`);
      if (inPath) {
        url = url.split("/").map(part => (part === `:${key}` ? encodeURIComponent(value) : part)).join("/");
      } else if (!missing) {
        data[key] = value;
      }
    }
    return {url, data};
  }

  // What an operation takes beside its declared parameters, such as those of a device's action.
  function withOthers(action, given, data) {
    for (const [key, value] of Object.entries(given)) {
      if (!(key in (action.params || {})) && value !== undefined && value !== null) {
        data[key] = value;
      }
    }
    return data;
  }

  // {criteria: {level: ["info"]}} -> [["criteria[level][]", "info"]]
  function pairs(value, key) {
    if (Array.isArray(value)) {
      return value.flatMap(item => pairs(item, `${key}[]`));
    }
    if (value !== null && typeof value === "object") {
      return Object.entries(value).flatMap(([inner, item]) => pairs(item, key ? `${key}[${inner}]` : inner));
    }
    return [[key, String(value)]];
  }

  function askWithFetch(type, url, data) {
    const reading = type === "GET";
    const query = reading ? new URLSearchParams(pairs(data, "")).toString() : "";
    const options = {method: type, credentials: "same-origin"};
    if (!reading) {
      options.headers = {"Content-Type": "application/json"};
      options.body = JSON.stringify(data);
    }
    return scope.fetch(query ? `${url}?${query}` : url, options).then(async answer => {
      const text = await answer.text();
      let body = text;
      try {
        body = JSON.parse(text);
      } catch {
        // an answer without JSON, such as that to a wrong password, stays a text
      }
      if (!answer.ok) {
        const error = new Error((body && body.message) || answer.statusText || `status ${answer.status}`);
        throw Object.assign(error, {status: answer.status, responseJSON: body});
      }
      return body;
    });
  }

  function askWithJQuery(type, url, data, options) {
    const settings = {...options, type, url};
    if (type === "GET") {
      settings.data = data;
    } else {
      settings.contentType = "application/json";
      settings.data = JSON.stringify(data);
    }
    return scope.jQuery.ajax(settings);
  }

  let calls = 0;

  class DeclApiClient {
    constructor(apiDef) {
      this.apiDef = apiDef || description;
      this.rest = {};
      for (const [name, action] of Object.entries(this.apiDef.actions)) {
        if (action.rest) {
          this.rest[name] = (given, options) => this.ask(name, action, given || {}, options || {});
        }
      }
    }

    ask(name, action, given, options) {
      const {url, data} = prepare(name, action, given);
      withOthers(action, given, data);
      const type = action.rest.type.toUpperCase();
      return scope.jQuery ? askWithJQuery(type, url, data, options) : askWithFetch(type, url, data);
    }

    // One function for each operation, over a connected socket of socket.io; each gives a promise of its result.
    over(socket) {
      const waiting = new Map();
      socket.on("callResult", answer => {
        const call = waiting.get(answer.id);
        if (!call) {
          return;
        }
        waiting.delete(answer.id);
        if (answer.success) {
          call.resolve(answer.result);
        } else {
          call.reject(new Error(answer.error || "the call failed"));
        }
      });
      const operations = {};
      for (const [name, action] of Object.entries(this.apiDef.actions)) {
        operations[name] = given => new Promise((resolve, reject) => {
          prepare(name, {params: action.params}, given || {});
          calls += 1;
          const id = `decl-api-${calls}`;
          waiting.set(id, {resolve, reject});
          socket.emit("call", {id, action: name, params: given || {}});
        });
      }
      return operations;
    }
  }

  scope.DeclApiClient = DeclApiClient;
  // pages of pimatic bring their own description of the API, and call themselves pimatic
  scope.api = scope.api || description;
  scope.pimatic = scope.pimatic || new DeclApiClient(description);
})(typeof window === "undefined" ? globalThis : window);
