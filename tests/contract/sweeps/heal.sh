# Brings a host back to where all is well: its files, addresses, login and units.
# Arguments: its addresses, its units, and those that run.
PATH=/usr/sbin:/usr/bin:/sbin:/bin # what situations put in front of programs is not asked
addresses=$1 units=$2 running=$3
strange="$units vsftpd.socket vsftpd.timer blocking worker@1"

# Programs and logins.
rm -rf /usr/local/bin/* /run/nologin /run/go
for moved in /usr/bin/*.away; do
  [ -e "$moved" ] && mv -f "$moved" "${moved%.away}"
done
[ -e /usr/sbin/ip ] || ln -s /usr/bin/ip /usr/sbin/ip
[ -e /run/dbus/away ] && mv /run/dbus/away /run/dbus/system_bus_socket
pkill -KILL -u rocky
rm -rf /etc/ssh /etc/pam.d /etc/sudoers.d /etc/systemd/system /run/systemd/system/*.service /home/rocky
cp -a /root/well/. /
pkill -CONT -x sshd

# Units: whatever they are doing is cut short.
systemctl daemon-reload
systemctl kill --signal=CONT $strange 2>/dev/null
systemctl kill --signal=KILL $strange 2>/dev/null
systemctl stop --no-block $strange 2>/dev/null
systemctl kill --signal=KILL $strange 2>/dev/null
systemctl stop $strange 2>/dev/null
systemctl reset-failed
systemctl start $running
systemctl restart ssh

# The journal: restarts of before are not to be counted.
if [ -e /run/systemd/journald.conf.d ]; then
  rm -r /run/systemd/journald.conf.d
  systemctl restart systemd-journald
  journalctl --flush
fi
journalctl --quiet --rotate
rm -f /run/log/journal/*/*@* /var/log/journal/*/*@*

# Addresses.
ip -o -4 addr show | while read -r _ device _ address _; do
  case " 127.0.0.1/8 $addresses " in
    *" $address "*) [ "$device" = eth0 ] || [ "$address" = 127.0.0.1/8 ] || ip addr del "$address" dev "$device" ;;
    *) ip addr del "$address" dev "$device" ;;
  esac
done
ip -6 addr flush dev eth0 scope global
for device in spare0 spare1; do
  ip link del "$device" 2>/dev/null
done
for address in $addresses; do
  ip addr show dev eth0 | grep -q " $address " || ip addr add "$address" dev eth0
done
exit 0
