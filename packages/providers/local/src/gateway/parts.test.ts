import assert from "node:assert/strict";
import { test } from "node:test";
import { Balancer } from "./balancer.ts";
import { protocolOf } from "./first-bytes.ts";
import { LatencyHistogram } from "./histogram.ts";
import { ResponseParser, type ResponseHead, type ResponseSink } from "./response-parser.ts";
import { targetAt } from "./replica.test.support.ts";
import { Upstream } from "./upstream.ts";

test("first bytes: HTTP is known by its request line, everything else is TCP", () => {
  const expected: Record<string, "http" | "tcp" | undefined> = {
    "GET / HTTP/1.1\r\n": "http",
    "POST /x?y HTTP/1.0\r\nHost": "http",
    "GET name\r\n": "tcp",
    "GET / HTTP/1.1": undefined,
    GE: undefined,
    GET: undefined,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "tcp",
    "\x16\x03\x01": "tcp",
    "*1\r\n$4\r\nPING\r\n": "tcp",
    "get / HTTP/1.1\r\n": "tcp",
    "HELO there\r\n": "tcp",
  };
  for (const [bytes, protocol] of Object.entries(expected))
    assert.equal(protocolOf(Buffer.from(bytes, "latin1")), protocol, JSON.stringify(bytes));
});

test("smooth weighted round robin is exact and evenly spread", () => {
  const targets = [targetAt("a", 1, 5), targetAt("b", 2, 1), targetAt("c", 3, 1), targetAt("d", 4, 0)];
  const balancer = new Balancer({ instance: "shop-web", targets }, (target) => new Upstream(target));
  const chosen = Array.from({ length: 7 }, () => balancer.choose([])?.replicaId).join("");
  assert.equal(chosen, "aabacaa");
  assert.equal(balancer.size, 3);
});

test("what was tried is not chosen again", () => {
  const balancer = new Balancer(
    { instance: "shop-web", targets: [targetAt("a", 1), targetAt("b", 2)] },
    (target) => new Upstream(target),
  );
  const first = balancer.choose([]);
  assert.ok(first !== undefined);
  const second = balancer.choose([first]);
  assert.ok(second !== undefined && second !== first);
  assert.equal(balancer.choose([first, second]), undefined);
});

test("quantiles are within a bucket of the truth", () => {
  const histogram = new LatencyHistogram();
  assert.equal(histogram.quantile(0.5), null);
  for (let ms = 1; ms <= 1000; ms += 1) histogram.add(ms);
  for (const [share, truth] of [
    [0.5, 500],
    [0.99, 990],
  ] as const) {
    const found = histogram.quantile(share) ?? 0;
    assert.ok(found >= truth && found <= truth * 1.2, `${share}: ${found}`);
  }
});

/** What a sink heard, as text. */
class Heard implements ResponseSink {
  text = "";
  body = "";
  informationHead(head: ResponseHead): void {
    this.text += `[${head.status}]`;
  }
  responseHead(head: ResponseHead): void {
    this.text += `[${head.status} ${head.framing.kind} ${head.isPersistent ? "stays" : "closes"}]`;
  }
  switchedProtocols(head: ResponseHead, rest: Buffer): void {
    this.text += `[${head.status}]${rest.toString()}`;
  }
  responseBody(chunk: Buffer): void {
    this.body += chunk.toString("latin1");
  }
  responseEnd(rawTrailers: readonly string[], rest: number): void {
    this.text += `${this.body}[end ${rawTrailers.join(",")} ${rest}]`;
  }
  responseBroken(reason: string): void {
    this.text += `[broken: ${reason}]`;
  }
}

function hear(bytes: string, pieceSize: number, method = "GET"): string {
  const heard = new Heard();
  const parser = new ResponseParser(heard);
  parser.expect(method);
  const buffer = Buffer.from(bytes, "latin1");
  for (let at = 0; at < buffer.length; at += pieceSize) parser.push(buffer.subarray(at, at + pieceSize));
  parser.eof();
  return heard.text;
}

const responses: readonly (readonly [string, string])[] = [
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "[200 length stays]hello[end  0]"],
  ["HTTP/1.1 200 OK\r\ncontent-length:0\r\nConnection: Close\r\n\r\n", "[200 length closes][end  0]"],
  ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "[200 length closes]hi[end  0]"],
  ["HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "[200 length stays]hi[end  0]"],
  ["HTTP/1.1 200 OK\r\n\r\nuntil the end", "[200 until-close closes]until the end[end  0]"],
  [
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "[100][103][204 none stays][end  0]",
  ],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
    "[200 chunked stays]abc0123456789[end X-Sum,1 0]",
  ],
  ["HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "[200 chunked stays][end  0]"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "[broken: two different Content-Lengths]"],
  [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "[broken: both Transfer-Encoding and Content-Length]",
  ],
  ["HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "[broken: Content-Length is no number]"],
  ["HTTP/1.1 200 OK\r\nA: 1\n\r\n\r\n", "[broken: control character in the head]"],
  ["HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", "[broken: malformed header]"],
  ["HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n", "[broken: malformed header]"],
  ["HTTP/2 200 OK\r\n\r\n", "[broken: no status line]"],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "[200 chunked stays][broken: chunk size is no number]",
  ],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
    "[200 chunked stays][broken: chunk without its end]",
  ],
  [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "[200 length stays][broken: connection closed before the end of the response]",
  ],
  ["", "[broken: connection closed before the end of the response]"],
];

test("responses are understood the same however they are cut into pieces", () => {
  for (const [bytes, expected] of responses) {
    for (const pieceSize of [1, 2, 3, 7, 1000])
      assert.equal(hear(bytes, pieceSize), expected, JSON.stringify([bytes, pieceSize]));
  }
});

test("HEAD has no body whatever its headers say; bytes after a response are counted", () => {
  assert.equal(hear("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1000, "HEAD"), "[200 none stays][end  0]");
  assert.equal(hear("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, more", 1000), "[200 length stays]hi[end  6]");
  assert.equal(hear("HTTP/1.1 101 Switching Protocols\r\n\r\nraw", 1000), "[101]raw");
});
