// gomemcache. See src/program.rs for what is read and printed.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

func main() {
	fmt.Println(os.Args[1])
	tasks := bufio.NewScanner(os.Stdin)
	for tasks.Scan() {
		words := strings.Split(tasks.Text(), "\t")
		var servers []string
		for _, server := range strings.Split(words[2], ",") {
			// Without its weight, which is always 1.
			servers = append(servers, server[:strings.LastIndex(server, ":")])
		}
		client := memcache.New(servers...)
		client.Timeout = 20 * time.Second
		text, err := os.ReadFile(words[3])
		if err != nil {
			panic(err)
		}
		count := 0
		for _, key := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			value := "v:" + key
			if words[0] == "set" {
				if client.Set(&memcache.Item{Key: key, Value: []byte(value)}) == nil {
					count++
				}
			} else if item, err := client.Get(key); err == nil && string(item.Value) == value {
				count++
			}
		}
		fmt.Println(count)
	}
}
