# Looks like `ping -c 3 HOST`, but needs neither a network nor an installed ping.
host=$1

case $host in
  localhost) address=127.0.0.1 ;;
  google.com) address=192.0.2.10 ;;
  amazon.com) address=192.0.2.20 ;;
  facebook.com) address=192.0.2.30 ;;
  *)
    echo "ping: $host: Name or service not known" >&2
    exit 2
    ;;
esac

echo "PING $host ($address) 56(84) bytes of data."
for sequence in 1 2 3; do
  sleep 0.2
  echo "64 bytes from $address: icmp_seq=$sequence ttl=64 time=0.0$((RANDOM % 90 + 10)) ms"
done
echo
echo "--- $host ping statistics ---"
echo "3 packets transmitted, 3 received, 0% packet loss"
