// A network with one machine in it, beside the one of this machine, that can be cut and mended: a network
// namespace of our own with a pair of virtual interfaces. Only root may make one.

import { execFileSync } from 'node:child_process';

/** Addresses of this machine, of this machine after a move, and of the other one, where the test needs no others. */
const USUAL = { here: '10.213.97.1', moved: '10.213.97.3', there: '10.213.97.2' };

/** What a cut cable does, in both directions. */
const CUT = `table inet cable {
  chain in { type filter hook input priority 0; policy drop; }
  chain out { type filter hook output priority 0; policy drop; }
}`;

/** What a poor radio does to datagrams, in both directions: so many of a hundred are lost. Within the machine none are. */
const lossy = (percent) => `table inet cable {
  chain in { type filter hook input priority 0; iifname != "lo" meta l4proto udp numgen random mod 100 < ${percent} counter drop; }
  chain out { type filter hook output priority 0; oifname != "lo" meta l4proto udp numgen random mod 100 < ${percent} counter drop; }
}`;

/** What a firewall does that lets TCP alone pass, in both directions. Within the machine all passes. */
const NO_UDP = `table inet cable {
  chain in { type filter hook input priority 0; iifname != "lo" meta l4proto udp drop; }
  chain out { type filter hook output priority 0; oifname != "lo" meta l4proto udp drop; }
}`;

/** Makes the network. Fails, saying why, where that is not allowed. */
export function makeNetwork({ here, moved, there } = USUAL) {
  const name = `relay-${process.pid}`;
  const [ours, theirs] = [`vr${process.pid}a`, `vr${process.pid}b`];
  const run = (command, input) => execFileSync(command.split(' ')[0], command.split(' ').slice(1), { input, stdio: 'pipe' });
  const inside = (command, input) => run(`ip netns exec ${name} ${command}`, input);
  try {
    run(`ip netns add ${name}`);
  } catch (error) {
    throw new Error(`this test makes a network namespace, and so needs root (CAP_SYS_ADMIN): ${error.stderr}`);
  }
  try {
    run(`ip link add ${ours} type veth peer name ${theirs} netns ${name}`);
    run(`ip address add ${here}/29 dev ${ours}`);
    run(`ip link set ${ours} up`);
    inside(`ip address add ${there}/29 dev ${theirs}`);
    inside(`ip link set ${theirs} up`);
    inside('ip link set lo up');
  } catch (error) {
    run(`ip netns delete ${name}`);
    throw new Error(`the network cannot be made: ${error.stderr}`);
  }
  return {
    /** Of the machine in it. */
    address: there,
    /** What to put before a command to run it there. */
    enter: ['ip', 'netns', 'exec', name],
    cut: () => inside('nft -f -', CUT),
    /** Lets no datagram pass. */
    blockUdp: () => inside('nft -f -', NO_UDP),
    /** Loses so many of a hundred datagrams from now on, in each direction. */
    lose: (percent) => inside('nft -f -', lossy(percent)),
    /** How many datagrams it has lost, in both directions. */
    lost: () => [...String(inside('nft list table inet cable')).matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0),
    mend: () => inside('nft delete table inet cable'),
    /** Gives this machine another address there, in place of the one that it has. */
    move() {
      run(`ip address delete ${here}/29 dev ${ours}`);
      run(`ip address add ${moved}/29 dev ${ours}`);
    },
    /** Gives this machine one more address there. */
    join: (address) => run(`ip address add ${address}/29 dev ${ours}`),
    remove() {
      // By itself the interface would go only some time after its namespace.
      run(`ip link delete ${ours}`);
      run(`ip netns delete ${name}`);
    },
  };
}
