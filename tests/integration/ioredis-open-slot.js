// An ioredis Cluster client in a slot that is open and stays so. Arguments: a port to start from. Prints one line of JSON:
// what a transaction and a pipeline on keys that have left said, and a read that replicas may answer.
const { Cluster } = require("ioredis");

const slotsRefreshTimeout = 20000; // a busy machine may take longer than the second that ioredis waits

async function main(port) {
  const cluster = new Cluster([{ host: "127.0.0.1", port }], { maxRedirections: 4, slotsRefreshTimeout });
  const told = {};
  told.multi = await cluster.multi().append("{tag}gone", "!").get("{tag}gone").exec();
  told.fresh = await cluster.multi().set("{tag}fresh", "1").incr("{tag}fresh").exec();
  told.pipeline = await cluster.pipeline().get("{tag}gone").get("{tag}gone").exec();
  await cluster.quit();
  const reader = new Cluster([{ host: "127.0.0.1", port }], { scaleReads: "slave", maxRedirections: 4, slotsRefreshTimeout });
  told.read = await Promise.all(["here", "gone", "gone2"].map((name) => reader.get("{tag}" + name)));
  await reader.quit();
  console.log(JSON.stringify(told));
}

main(Number(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
