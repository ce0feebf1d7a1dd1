# Connections with a port, one after the other. A frame is a length of 4 bytes, big endian, and so
# many bytes. In input, OPEN begins a connection, and 0 is the end of what is sent to the port. In
# output, REFUSED means that nothing listens, and 0 that the connection has ended. The end of input
# itself means that the client is gone.
use strict;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY inet_pton pack_sockaddr_in6);
use IO::Handle;

my ($port) = @ARGV;
my ($most, $open, $refused) = (1 << 16, 0xffffffff, 0xffffffff);
my ($s, $in, $up, $down, $ended) = (undef, "", "", "F", 0);
$SIG{PIPE} = "IGNORE";
$_->blocking(0) for \*STDIN, \*STDOUT;

sub fails { !$!{EAGAIN} && !$!{EINTR} }

sub begin {
    ($s, $up, $ended) = (undef, "", 0);
    for my $to ([PF_INET, pack_sockaddr_in($port, inet_aton("127.0.0.1"))],
        [PF_INET6, pack_sockaddr_in6($port, inet_pton(PF_INET6, "::1"))]) {
        my $try;
        next unless socket($try, $to->[0], SOCK_STREAM, 0) && connect($try, $to->[1]);
        $s = $try;
        $s->blocking(0);
        setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
        return;
    }
    $down .= pack("N", $refused);
}

sub take {
    while (length($in) >= 4) {
        my $size = unpack("N", $in);
        if ($size == $open) { substr($in, 0, 4, ""); begin(); next }
        last if length($in) < 4 + $size;
        $ended = 1 if $s && !$size;
        $up .= substr($in, 4, $size) if $s;
        substr($in, 0, 4 + $size, "");
    }
}

while (1) {
    if ($s && $ended == 1 && $up eq "") { shutdown($s, 1); $ended = 2 }
    my ($r, $w) = ("", "");
    vec($r, fileno(STDIN), 1) = 1 if length($up) < $most;
    vec($r, fileno($s), 1) = 1 if $s && length($down) < $most;
    vec($w, fileno($s), 1) = 1 if $s && $up ne "";
    vec($w, fileno(STDOUT), 1) = 1 if $down ne "";
    next if select($r, $w, undef, undef) < 0;
    if (vec($w, fileno(STDOUT), 1)) {
        my $n = syswrite(STDOUT, $down);
        exit 0 if !defined $n && fails();
        substr($down, 0, $n, "") if $n;
    }
    if ($s && vec($w, fileno($s), 1)) {
        my $n = syswrite($s, $up);
        $n = length $up if !defined $n && fails();
        substr($up, 0, $n, "") if $n;
    }
    if ($s && vec($r, fileno($s), 1)) {
        my $n = sysread($s, my $data, $most);
        $down .= pack("N", $n) . $data if $n;
        if (defined $n ? !$n : fails()) { $down .= pack("N", 0); close $s; ($s, $up) = (undef, "") }
    }
    if (vec($r, fileno(STDIN), 1)) {
        my $n = sysread(STDIN, $in, $most, length $in);
        exit 0 if defined $n ? !$n : fails();
        take();
    }
}
