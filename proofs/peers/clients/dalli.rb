# Dalli. See src/program.rs for what is read and printed.
require "dalli"

Dalli.logger.level = Logger::ERROR
$stdout.sync = true
puts Dalli::VERSION
while (line = $stdin.gets)
  task, _options, servers, path = line.chomp.split("\t", -1)
  client = Dalli::Client.new(servers.split(","))
  count = File.readlines(path, chomp: true).count do |key|
    task == "set" ? client.set(key, "v:#{key}", nil, raw: true) : client.get(key) == "v:#{key}"
  end
  client.close
  puts count
end
