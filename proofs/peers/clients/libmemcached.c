// libmemcached, from C. See src/program.rs for what is read and printed.
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct number {
    const char *name;
    uint64_t value;
};

static const struct number WAYS[] = {
    {"CONSISTENT", MEMCACHED_DISTRIBUTION_CONSISTENT},
    {"CONSISTENT_KETAMA", MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA},
    {"CONSISTENT_KETAMA_SPY", MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA_SPY},
    {"CONSISTENT_WEIGHTED", MEMCACHED_DISTRIBUTION_CONSISTENT_WEIGHTED},
    {"MODULA", MEMCACHED_DISTRIBUTION_MODULA},
    {NULL, 0},
};

static const struct number HASHES[] = {
    {"default", MEMCACHED_HASH_DEFAULT}, {"md5", MEMCACHED_HASH_MD5},
    {"crc", MEMCACHED_HASH_CRC},         {"fnv1_64", MEMCACHED_HASH_FNV1_64},
    {"fnv1a_64", MEMCACHED_HASH_FNV1A_64}, {"fnv1_32", MEMCACHED_HASH_FNV1_32},
    {"fnv1a_32", MEMCACHED_HASH_FNV1A_32}, {"murmur", MEMCACHED_HASH_MURMUR},
    {"murmur3", MEMCACHED_HASH_MURMUR3}, {"jenkins", MEMCACHED_HASH_JENKINS},
    {NULL, 0},
};

static void fail(const char *what, const char *which) {
    fprintf(stderr, "libmemcached: %s %s\n", what, which);
    exit(1);
}

static uint64_t number(const struct number *of, const char *name) {
    for (; of->name; of++)
        if (strcmp(of->name, name) == 0) return of->value;
    fail("no such name:", name);
    return 0;
}

// The value of an option in `name=value,…`, or what it is without one.
static const char *option(const char *options, const char *name, const char *without, char *room, size_t size) {
    size_t len = strlen(name);
    for (const char *at = options; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            snprintf(room, size, "%.*s", (int)strcspn(at + len + 1, ","), at + len + 1);
            return room;
        }
    return without;
}

static void behave(memcached_st *client, const char *options) {
    char room[64];
    const char *sorted = option(options, "sort_hosts", "0", room, sizeof room);
    memcached_behavior_set(client, MEMCACHED_BEHAVIOR_SORT_HOSTS, atoi(sorted));
    uint64_t way = number(WAYS, option(options, "way", "", room, sizeof room));
    if (way == MEMCACHED_DISTRIBUTION_CONSISTENT_WEIGHTED)
        memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    else
        memcached_behavior_set_distribution(client, (memcached_server_distribution_t)way);
    const char *hash = option(options, "hash", NULL, room, sizeof room);
    if (hash) memcached_behavior_set(client, MEMCACHED_BEHAVIOR_HASH, number(HASHES, hash));
}

static void add(memcached_st *client, char *servers) {
    char *left;
    for (char *server = strtok_r(servers, ",", &left); server; server = strtok_r(NULL, ",", &left)) {
        char host[64];
        unsigned port, weight;
        if (sscanf(server, "%63[^:]:%u:%u", host, &port, &weight) != 3) fail("no server:", server);
        memcached_server_add_with_weight(client, host, (in_port_t)port, weight);
    }
}

int main(void) {
    static char line[1 << 16], key[512], value[512];
    printf("%s\n", memcached_lib_version());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        char *fields[4], *left = line;
        for (int i = 0; i < 4; i++)
            if (!(fields[i] = strsep(&left, "\t\n"))) fail("not a task:", line);
        memcached_st *client = memcached_create(NULL);
        behave(client, fields[1]);
        add(client, fields[2]);
        FILE *keys = fopen(fields[3], "r");
        if (!keys) fail("no file", fields[3]);
        int count = 0;
        while (fgets(key, sizeof key, keys)) {
            size_t len = strcspn(key, "\n");
            int size = snprintf(value, sizeof value, "v:%.*s", (int)len, key);
            if (strcmp(fields[0], "set") == 0) {
                count += memcached_set(client, key, len, value, size, 0, 0) == MEMCACHED_SUCCESS;
            } else {
                size_t found = 0;
                uint32_t flags;
                memcached_return_t rc;
                char *there = memcached_get(client, key, len, &found, &flags, &rc);
                count += there && found == (size_t)size && memcmp(there, value, found) == 0;
                free(there);
            }
        }
        fclose(keys);
        memcached_free(client);
        printf("%d\n", count);
        fflush(stdout);
    }
}
