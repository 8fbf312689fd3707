import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pinholeLine, reachLine } from './reach-line.ts';

const TCP = { protocol: 'tcp', port: 6881, externalPort: 7881, lifetimeSeconds: 3600 } as const;
const UDP = { ...TCP, protocol: 'udp', externalPort: 7882 } as const;

test('people read where they are reached, by the port of TCP', () => {
  const mapped = { state: 'mapped', method: 'PCP', ports: [UDP, TCP] } as const;
  assert.equal(
    reachLine({ ...mapped, externalHost: '25.1.2.3' }),
    'reached from outside at 25.1.2.3:7881 (PCP)',
  );
  assert.equal(
    reachLine({ ...mapped, externalHost: null }),
    'the router passes port 7881 on to us (PCP)',
  );
});

test('people read at which IPv6 addresses the firewall lets peers in', () => {
  const ports = [{ ...TCP, externalPort: 6881 }];
  const places = ['2001:db8::1', '2001:db8::2'].map((host) => ({
    host,
    ports,
    method: 'UPnP' as const,
  }));
  assert.equal(
    pinholeLine({ state: 'open', places }),
    'reached from outside at [2001:db8::1]:6881, [2001:db8::2]:6881 (UPnP)',
  );
});

test('a firewall that stays closed is one plain line, and no firewall is none', () => {
  assert.equal(
    pinholeLine({ state: 'refused', reason: 'PCP: it does not let us' }),
    "the router's IPv6 firewall stays closed (PCP: it does not let us): " +
      'peers outside cannot call us over IPv6',
  );
  assert.equal(pinholeLine({ state: 'none' }), null);
});
