// Node's clients: node.js CLIENT. See src/program.rs for what is read and printed.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const name = process.argv[2];
const folder = path.join(process.env.MEMRING_PEERS, 'node_modules', name);
const module_ = require(folder);
console.log(require(path.join(folder, 'package.json')).version);

const clients = {
  memcached(servers) {
    // Keys of objects keep their order, unless they are numbers.
    const client = new module_(Object.fromEntries(servers.map(([host, port, weight]) => [`${host}:${port}`, Number(weight)])));
    const call = (...args) => new Promise((done) => client[args[0]](...args.slice(1), (error, result) => done(error ? undefined : result)));
    return {
      set: (key, value) => call('set', key, value, 0),
      get: (key) => call('get', key),
      end: () => client.end(),
    };
  },
  memjs(servers) {
    const client = module_.Client.create(servers.map(([host, port]) => `${host}:${port}`).join(','));
    return {
      set: (key, value) => client.set(key, value, {}),
      get: async (key) => String((await client.get(key)).value),
      end: () => client.close(),
    };
  },
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [task, , servers, file] = line.split('\t');
    const client = clients[name](servers.split(',').map((server) => server.split(':')));
    let count = 0;
    for (const key of fs.readFileSync(file, 'utf8').trimEnd().split('\n')) {
      const value = `v:${key}`;
      const done = task === 'set' ? await client.set(key, value) : (await client.get(key)) === value;
      count += done ? 1 : 0;
    }
    client.end();
    console.log(count);
  }
})();
