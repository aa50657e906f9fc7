// An ioredis Cluster client behind lines of text, as redis-cli is: commands come in, one a line, and replies go out, one a
// line and in the same order. Nothing waits for a reply: what comes in together is under way together. Arguments: the ports
// to start from.
const { Cluster } = require("ioredis");
const { createInterface } = require("readline");

const slotsRefreshTimeout = 20000; // a busy machine may take longer than the second that ioredis waits

async function main(ports) {
  const cluster = new Cluster(
    ports.map((port) => ({ host: "127.0.0.1", port })),
    { slotsRefreshTimeout },
  );
  let last = Promise.resolve();
  for await (const line of createInterface({ input: process.stdin })) {
    const before = last;
    const reply = cluster.call(...line.split(" ")).catch((error) => error.message);
    last = (async () => (await before, console.log(String(await reply))))();
  }
  await last;
  cluster.disconnect();
}

main(process.argv.slice(2).map(Number));
