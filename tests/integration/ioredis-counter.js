// An ioredis Cluster client that counts a key up until its input ends. Arguments: the key, the ports to start from.
// Prints one line of JSON: how often it was told so, and how often an error.
const { Cluster } = require("ioredis");

async function main(key, ports) {
  const cluster = new Cluster(ports.map((port) => ({ host: "127.0.0.1", port })));
  let going = true;
  process.stdin.on("end", () => (going = false)).resume();
  const told = { acknowledged: 0, errors: 0 };
  while (going) {
    await cluster.incr(key).then(() => told.acknowledged++, () => told.errors++);
  }
  cluster.disconnect();
  console.log(JSON.stringify(told));
}

const [key, ...ports] = process.argv.slice(2);
main(key, ports.map(Number));
