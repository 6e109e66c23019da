// A way to a server on which the first request with a body meets trouble: the connection is reset in the middle of the
// body, or the answer is that of an instance which ends. All else passes as it is.
import { connect, createServer } from 'node:net';

/** Bytes of a body that pass before the reset. */
const PASSED = 20;

const ENDING = JSON.stringify({ success: false, code: 'ending', message: 'this instance ends; another one takes the events' });

function ending(head) {
  const origin = /^origin: *(.*?)\r$/im.exec(head)?.[1];
  const cors = origin ? `access-control-allow-origin: ${origin}\r\naccess-control-expose-headers: retry-after\r\n` : '';
  return `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n${cors}`
    + `content-length: ${ENDING.length}\r\n\r\n${ENDING}`;
}

/** `trouble` is 'reset' or '503'. `met()` says how often it happened. */
export async function troubledWay(server, trouble) {
  const target = new URL(server);
  let met = 0;
  const way = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on('error', end).on('close', end);
    upstream.on('error', end).on('close', end).on('data', (data) => client.write(data));
    // Of a request that is to meet trouble, as far as it came.
    let troubled = null;
    client.on('data', (data) => {
      if (met > 0 && troubled === null) return upstream.write(data);
      if (troubled === null && data.subarray(0, 5).toString() !== 'POST ') return upstream.write(data);
      met ||= 1;
      troubled = Buffer.concat([troubled ?? Buffer.alloc(0), data]);
      const headEnds = troubled.indexOf('\r\n\r\n') + 4;
      if (headEnds < 4 || troubled.length <= headEnds) return;
      const head = troubled.subarray(0, headEnds).toString();
      if (trouble === '503') {
        // The whole body first, as a server has it that answers in good order.
        const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? NaN);
        const whole = Number.isNaN(length) ? troubled.includes('\r\n0\r\n\r\n') : troubled.length >= headEnds + length;
        if (whole) client.end(ending(head));
        return;
      }
      upstream.write(troubled.subarray(0, headEnds + PASSED), () => {
        upstream.resetAndDestroy();
        client.resetAndDestroy();
      });
    });
  });
  await new Promise((ready) => way.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${way.address().port}`, met: () => met, close: () => way.close() };
}
