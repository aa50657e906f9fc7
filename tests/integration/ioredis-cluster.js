// An ioredis Cluster client at work. Arguments: the ports of the nodes it may start from. Prints one line of JSON.
const { Cluster } = require("ioredis");

const slotsRefreshTimeout = 20000; // a busy machine may take longer than the second that ioredis waits

async function main(ports) {
  const cluster = new Cluster(
    ports.map((port) => ({ host: "127.0.0.1", port })),
    { slotsRefreshTimeout },
  );
  const told = {};
  const keys = Array.from({ length: 50 }, (_, i) => `ioredis:${i}`);
  told.set = await Promise.all(keys.map((key, i) => cluster.set(key, i)));
  told.get = await Promise.all(keys.map((key) => cluster.get(key)));
  await cluster.mset("{tag}a", "1", "{tag}b", "2");
  told.mget = await cluster.mget("{tag}a", "{tag}b", "{tag}c");
  told.pipeline = await cluster.pipeline().incr("{tag}n").incrby("{tag}n", 9).get("{tag}n").exec();
  told.multi = await cluster.multi().set("{tag}m", "x").append("{tag}m", "y").exec();
  told.crossslot = await cluster.mget("a", "b").catch((error) => error.message);
  told.buffer = (await cluster.setrange("bytes", 1, "z"), (await cluster.getBuffer("bytes")).toString("hex"));
  told.sizes = (await Promise.all(cluster.nodes("master").map((node) => node.dbsize()))).sort((a, b) => a - b);
  await cluster.quit();
  console.log(JSON.stringify(told));
}

main(process.argv.slice(2).map(Number)).catch((error) => {
  console.error(error);
  process.exit(1);
});
