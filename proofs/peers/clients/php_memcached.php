<?php
// php-memcached. See src/program.rs for what is read and printed.
echo phpversion("memcached"), "\n";
while (($line = fgets(STDIN)) !== false) {
    [$task, $options, $servers, $path] = explode("\t", rtrim($line, "\n"));
    $client = new Memcached();
    // The only option is `options`: setOption's words, with blanks between.
    foreach (explode(" ", substr($options, strlen("options="))) as $option) {
        [$name, $value] = explode("=", $option);
        $value = defined("Memcached::$value") ? constant("Memcached::$value") : (bool) $value;
        if (!$client->setOption(constant("Memcached::$name"), $value)) {
            fwrite(STDERR, "no option $option\n");
            exit(1);
        }
    }
    foreach (explode(",", $servers) as $server) {
        [$host, $port, $weight] = explode(":", $server);
        $client->addServer($host, (int) $port, (int) $weight);
    }
    $count = 0;
    foreach (file($path, FILE_IGNORE_NEW_LINES) as $key) {
        $count += $task === "set" ? $client->set($key, "v:$key") : $client->get($key) === "v:$key";
    }
    echo $count, "\n";
}
