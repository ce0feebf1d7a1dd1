// Opens Node's inspector in the program itself, and in no other process: package managers, watchers and
// helpers load this file as well. The program is the process that begins to listen on the project's port;
// without a port, one that has run for a second and has no process below it. After a reload, the new
// process takes the place of the one that has ended.
'use strict';

const [port, programPort] = (process.env.DEBUGHOST_DEBUG || '').split(' ').map(Number);
const { isMainThread } = require('worker_threads');
const PAUSE = 500; // Milliseconds.

function attach(tries) {
  const inspector = require('inspector');
  const url = inspector.url() || '';
  if (url.startsWith(`ws://0.0.0.0:${port}/`)) return;
  // The program opened it itself, where nobody outside of the container can reach it.
  if (url) inspector.close();
  const { emitWarning } = process;
  // Node warns that others reach it. On the host, that is its own address alone.
  process.emitWarning = () => {};
  try {
    inspector.open(port, '0.0.0.0');
  } catch {
    // The process that it replaces has not let go of the port yet.
  } finally {
    process.emitWarning = emitWarning;
  }
  if (!inspector.url() && tries > 1) setTimeout(attach, PAUSE, tries - 1).unref();
}

function watchListening() {
  const { Server } = require('net');
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...options) {
    this.once('listening', () => {
      const address = this.address();
      if (address && address.port === programPort) attach(60);
    });
    return listen.apply(this, options);
  };
}

function watchRunning() {
  const timer = setInterval(() => {
    if (hasChildren()) return;
    clearInterval(timer);
    attach(60);
  }, 2 * PAUSE);
  timer.unref();
}

function hasChildren() {
  const { readFileSync } = require('fs');
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim() !== '';
  } catch {
    return false;
  }
}

if (port && isMainThread) (programPort ? watchListening : watchRunning)();
