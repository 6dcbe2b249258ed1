// spymemcached. See src/program.rs for what is read and printed.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.DefaultHashAlgorithm;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;

public class Spymemcached {
    public static void main(String[] args) throws Exception {
        System.out.println(args[0]);
        var input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split("\t", -1);
            Map<String, String> options = new HashMap<>();
            for (String option : words[1].split(",")) {
                options.put(option.split("=")[0], option.split("=")[1]);
            }
            List<InetSocketAddress> servers = new ArrayList<>();
            for (String server : words[2].split(",")) {
                String[] parts = server.split(":");
                servers.add(new InetSocketAddress(parts[0], Integer.parseInt(parts[1])));
            }
            var factory = new ConnectionFactoryBuilder()
                    .setLocatorType(ConnectionFactoryBuilder.Locator.valueOf(options.get("locator")))
                    .setHashAlg(DefaultHashAlgorithm.valueOf(options.get("hash")))
                    .setOpTimeout(20000)
                    // Or a key goes to another server while its own is not connected yet.
                    .setFailureMode(FailureMode.Retry)
                    .build();
            var client = new MemcachedClient(factory, servers);
            int count = 0;
            for (String key : Files.readAllLines(Path.of(words[3]))) {
                String value = "v:" + key;
                boolean done = words[0].equals("set") ? client.set(key, 0, value).get() : value.equals(client.get(key));
                count += done ? 1 : 0;
            }
            client.shutdown();
            System.out.println(count);
        }
    }
}
