// server.js PORT DIRECTORY - what programs in JavaScript do: serve, use files, a worker thread and
// child processes. Every request gets the same text, or one that says what went wrong.
'use strict';
const { execFile } = require('child_process');
const { createHash } = require('crypto');
const { readFile, writeFile } = require('fs/promises');
const http = require('http');
const { Worker } = require('worker_threads');

const text = createHash('sha256').update('hotpatch').digest('hex').repeat(16);
let count = 0;

const worker = new Worker(
    "const { parentPort } = require('worker_threads');" +
    "parentPort.on('message', (n) => parentPort.postMessage(n * 2));", { eval: true });

function twice(number) {
    return new Promise((resolve) => {
        worker.once('message', resolve);
        worker.postMessage(number);
    });
}

async function check() {
    const number = ++count;
    if (number % 10 === 0) {
        const file = `${process.argv[3]}/node-${number % 1000}`;
        await writeFile(file, text);
        if ((await readFile(file, 'latin1')) !== text) return 'a file is wrong';
    }
    if (number % 200 === 0) {
        const said = await new Promise((resolve) =>
            execFile('/bin/sh', ['-c', `echo ${number}`], (error, stdout) => resolve(stdout)));
        if (said !== `${number}\n`) return 'a process is wrong';
    }
    if (number % 1000 === 0 && (await twice(number)) !== 2 * number) return 'a worker is wrong';
    return text;
}

const server = http.createServer(async (request, response) => {
    const answer = await check();
    response.setHeader('Content-Length', answer.length);
    response.end(answer);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
