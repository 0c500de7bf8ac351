// Installs what is missing, for `npm start`, `npm test` and `bin/behest` on a fresh clone. Plain old JavaScript: it must run, or at least say
// what is too old, on whatever Node is there. Everything after it runs on the Node that the project pins in node_modules.
"use strict";
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

var OLDEST_NODE = 18;
var WAIT_MS = 10 * 60 * 1000;
var root = path.join(__dirname, "..");
var lockfile = path.join(root, "package-lock.json");
var modules = path.join(root, "node_modules");
var stamp = path.join(modules, ".behest-setup");
var busy = path.join(root, ".behest-setup.lock");

main();

function main() {
  if (parseInt(process.versions.node, 10) < OLDEST_NODE) {
    fail(
      "Behest needs Node " + OLDEST_NODE + " or newer to set itself up; this is Node " + process.versions.node + ". Get one from https://nodejs.org",
    );
  }
  if (isInstalled()) return;
  takeTurn();
  // Another process may have installed everything while this one waited.
  if (!isInstalled()) install();
}

function isInstalled() {
  try {
    return fs.readFileSync(stamp, "utf8") === fs.readFileSync(lockfile, "utf8");
  } catch (error) {
    return false;
  }
}

function install() {
  process.stderr.write("behest: installing what is missing (about half a minute, once)\n");
  // Not `npm ci`: it refuses a lockfile in which a registry lacked the binaries of some other platform. Removing first, and saving nothing, has
  // the same effect: what the lockfile names is installed as it names it.
  fs.rmSync(modules, { recursive: true, force: true });
  // No package needs its install script, and SQLite's would want a compiler, but one: the pinned Node's, which puts it in place.
  npm(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]);
  npm(["rebuild", "node", "--loglevel=error"]);
  var node = path.join(modules, ".bin", "node");
  var version = childProcess.spawnSync(node, ["--version"], { encoding: "utf8" });
  if (version.status !== 0) fail("the pinned Node at " + node + " does not run; remove node_modules and try again");
  fs.writeFileSync(stamp, fs.readFileSync(lockfile, "utf8"));
}

function npm(args) {
  var own = process.env.npm_execpath;
  var options = { cwd: root, stdio: ["ignore", 2, 2], env: cleanEnvironment() };
  var isScript = own && /\.c?js$/.test(own);
  var result = isScript
    ? childProcess.spawnSync(process.execPath, [own].concat(args), options)
    : childProcess.spawnSync(process.platform === "win32" ? "npm.cmd" : "npm", args, options);
  if (result.error) fail("npm cannot be run: " + result.error.message + ". Install Node together with npm");
  if (result.status !== 0) fail("`npm " + args[0] + "` failed; its own words stand above. Mend that and try again");
}

// npm hands its own settings to what it runs; a production or dry-run setting of the caller must not reach the inner install.
function cleanEnvironment() {
  var environment = {};
  Object.keys(process.env).forEach(function (name) {
    if (!/^npm_config_(production|omit|include|dry_run|global|prefix|ignore_scripts)$/i.test(name) && name !== "NODE_ENV")
      environment[name] = process.env[name];
  });
  return environment;
}

// Two terminals may begin at once; two installs into one directory would spoil each other.
function takeTurn() {
  var deadline = Date.now() + WAIT_MS;
  for (;;) {
    try {
      fs.writeFileSync(busy, String(process.pid), { flag: "wx" });
      // Also when the install fails.
      process.on("exit", function () {
        remove(busy);
      });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") fail("the project's directory cannot be written: " + error.message);
    }
    if (!isAlive(busy)) remove(busy);
    else if (Date.now() > deadline) fail("another set-up is still running; if it is not, remove " + busy);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function isAlive(file) {
  try {
    var pid = parseInt(fs.readFileSync(file, "utf8"), 10);
    // Just created and not yet written.
    if (isNaN(pid)) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function remove(file) {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (error.code !== "ENOENT") fail(error.message);
  }
}

function fail(message) {
  process.stderr.write("behest: " + message + "\n");
  process.exit(1);
}
