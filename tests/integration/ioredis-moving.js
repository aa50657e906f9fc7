// An ioredis Cluster client at work while slots move, as goredis/main.go is. Arguments: a port to start from, the number of
// replicas' reads to allow (0 or 1), then the hash tags. Works through rounds of transactions, pipelines and reads until a
// line comes in, and prints one line of JSON: how many rounds each tag has had, and what went wrong.
const { Cluster } = require("ioredis");

// Each round counts once in a transaction and twice in a pipeline, on one key.
async function write(cluster, tag, round) {
  const key = `{${tag}}n`;
  const multi = await cluster.multi().incr(key).get(key).exec();
  const pipeline = await cluster.pipeline().incr(key).incr(key).exec();
  return [multi, pipeline, [[null, 3 * round - 2], [null, String(3 * round - 2)]], [[null, 3 * round - 1], [null, 3 * round]]];
}

// Each round reads a key, which is there all the time, at a replica.
async function read(cluster, tag) {
  const key = `{${tag}}there`;
  const got = await cluster.get(key);
  const pipeline = await cluster.pipeline().get(key).exists(key).exec();
  return [got, pipeline, tag, [[null, tag], [null, 1]]];
}

function shown(error) {
  return [error.message, ...(error.previousErrors || []).map((each) => each && each.message)].join("; ");
}

async function main(port, reads, tags) {
  // Several keys of a slot that is half moved are refused for as long as the move takes. After MOVED, ioredis asks the same
  // replica again until it has the new slots from some node: without the delay it is done with its redirections before that.
  const cluster = new Cluster([{ host: "127.0.0.1", port }], {
    scaleReads: reads ? "slave" : "master",
    maxRedirections: 100,
    slotsRefreshTimeout: 20000, // a busy machine may take longer than the second that ioredis waits
    retryDelayOnTryAgain: 5,
    retryDelayOnMoved: 5,
  });
  const told = { rounds: Object.fromEntries(tags.map((tag) => [tag, 0])), faults: [] };
  let stop = false;
  process.stdin.once("data", () => (stop = true));
  let started = false;
  while (!stop && !told.faults.length) {
    for (const tag of tags) {
      try {
        const [first, second, ...wanted] = await (reads ? read : write)(cluster, tag, ++told.rounds[tag]);
        if (JSON.stringify([first, second], plain) !== JSON.stringify(wanted)) {
          told.faults.push(`${tag}: ${JSON.stringify([first, second], plain)}, not ${JSON.stringify(wanted)}`);
        }
      } catch (error) {
        told.faults.push(`${tag}: ${shown(error)}`);
      }
    }
    if (!started) {
      started = true;
      console.log("at work");
    }
  }
  cluster.disconnect();
  console.log(JSON.stringify(told));
  process.exit(0);
}

function plain(name, value) {
  return value instanceof Error ? shown(value) : value;
}

main(Number(process.argv[2]), process.argv[3] === "1", process.argv.slice(4));
