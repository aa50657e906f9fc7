// A go-redis cluster client at work while slots move. Arguments: a port to start from, the number of replicas' reads to
// allow (0 or 1), then the hash tags. Works through rounds of transactions, pipelines and reads until a line comes in, and
// prints one line of JSON: how many rounds each tag has had, and what went wrong.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

type report struct {
	Rounds map[string]int `json:"rounds"`
	Faults []string       `json:"faults"`
}

func main() {
	ctx := context.Background()
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:    []string{"127.0.0.1:" + os.Args[1]},
		ReadOnly: os.Args[2] == "1",
		// Several keys of a slot that is half moved are refused for as long as the move takes.
		MaxRedirects: 100,
	})
	defer client.Close()
	var stop atomic.Value
	stop.Store(false)
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		stop.Store(true)
	}()
	told := report{Rounds: map[string]int{}, Faults: []string{}}
	if os.Args[2] == "1" {
		read(ctx, client, &stop, &told)
	} else {
		write(ctx, client, &stop, &told)
	}
	line, _ := json.Marshal(told)
	fmt.Println(string(line))
}

// write: each round counts once in a transaction and twice in a pipeline, on one key a tag.
func write(ctx context.Context, client *redis.ClusterClient, stop *atomic.Value, told *report) {
	tags := os.Args[3:]
	started := false
	for !stop.Load().(bool) {
		for _, tag := range tags {
			key := "{" + tag + "}n"
			tx := client.TxPipeline()
			first := tx.Incr(ctx, key)
			got := tx.Get(ctx, key)
			if _, err := tx.Exec(ctx); err != nil {
				told.Faults = append(told.Faults, "transaction: "+err.Error())
				return
			}
			pipe := client.Pipeline()
			pipe.Incr(ctx, key)
			last := pipe.Incr(ctx, key)
			if _, err := pipe.Exec(ctx); err != nil {
				told.Faults = append(told.Faults, "pipeline: "+err.Error())
				return
			}
			told.Rounds[tag]++
			wanted := int64(3 * told.Rounds[tag])
			if first.Val() != wanted-2 || got.Val() != strconv.FormatInt(wanted-2, 10) || last.Val() != wanted {
				told.Faults = append(told.Faults, fmt.Sprintf("%s: %d %s %d, not up to %d", key, first.Val(), got.Val(), last.Val(), wanted))
				return
			}
		}
		if !started {
			started = true
			fmt.Println("at work")
		}
	}
}

// read: each round reads a key of every tag, which is there all the time, at a replica.
func read(ctx context.Context, client *redis.ClusterClient, stop *atomic.Value, told *report) {
	tags := os.Args[3:]
	started := false
	for !stop.Load().(bool) {
		for _, tag := range tags {
			key := "{" + tag + "}there"
			value, err := client.Get(ctx, key).Result()
			if err != nil || value != tag {
				told.Faults = append(told.Faults, fmt.Sprintf("%s: %q %v", key, value, err))
				return
			}
			told.Rounds[tag]++
		}
		if !started {
			started = true
			fmt.Println("at work")
		}
		time.Sleep(100 * time.Microsecond)
	}
}
