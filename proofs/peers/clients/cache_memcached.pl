# Cache::Memcached and Cache::Memcached::Fast: cache_memcached.pl MODULE. See src/program.rs for what is read and printed.
use strict;
use warnings;

$| = 1;
my $module = shift;
eval "require $module" or die $@;
print $module->VERSION, "\n";
while (my $line = <STDIN>) {
    chomp $line;
    my ($task, $options, $servers, $path) = split /\t/, $line;
    my %options = map { split /=/, $_, 2 } split /,/, $options;
    my @servers = map { /^(.*):(.*)$/; [$1, $2] } split /,/, $servers;
    @servers = map { { address => $_->[0], weight => $_->[1] } } @servers if $module =~ /Fast/;
    my $client = $module->new({ servers => \@servers, %options });
    open my $keys, '<', $path or die "$path: $!";
    my $count = 0;
    while (my $key = <$keys>) {
        chomp $key;
        my $value = "v:$key";
        if ($task eq 'set') {
            $count++ if $client->set($key, $value);
        } else {
            my $found = $client->get($key);
            $count++ if defined $found && $found eq $value;
        }
    }
    $client->disconnect_all;
    print "$count\n";
}
