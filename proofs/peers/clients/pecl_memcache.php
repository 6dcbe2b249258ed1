<?php
// PECL memcache. See src/program.rs for what is read and printed.
echo phpversion("memcache"), "\n";
while (($line = fgets(STDIN)) !== false) {
    [$task, $options, $servers, $path] = explode("\t", rtrim($line, "\n"));
    // They are the names of php.ini's settings.
    foreach (explode(",", $options) as $option) {
        [$name, $value] = explode("=", $option, 2);
        if (ini_set("memcache.$name", $value) === false) {
            fwrite(STDERR, "no setting $option\n");
            exit(1);
        }
    }
    $client = new Memcache();
    foreach (explode(",", $servers) as $server) {
        [$host, $port, $weight] = explode(":", $server);
        $client->addServer($host, (int) $port, false, (int) $weight);
    }
    $count = 0;
    foreach (file($path, FILE_IGNORE_NEW_LINES) as $key) {
        $count += $task === "set" ? $client->set($key, "v:$key") : $client->get($key) === "v:$key";
    }
    $client->close();
    echo $count, "\n";
}
