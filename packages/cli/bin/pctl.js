#!/usr/bin/env node
// Read by every Node, old ones included, as a script or as a module alike: no static import, no import.meta, no syntax
// younger than 2015. An old Node shall say what is missing instead of failing on a token.
var found = process.versions.node.split(".").map(Number);
if (found[0] < 22 || (found[0] === 22 && found[1] < 18)) {
  process.stderr.write("pctl needs Node 22.18 or newer; this is " + process.version + "\n");
  process.exitCode = 1;
} else {
  run(process.argv.slice(2));
}

function run(words) {
  var path = process.getBuiltinModule("node:path");
  var fs = process.getBuiltinModule("node:fs");
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
    var folder = path.dirname(fs.realpathSync(process.argv[1]));
    var manifest = fs.readFileSync(path.join(folder, "..", "package.json"), "utf8");
    // Past process.stdout, whose making takes longer than all the rest.
    fs.writeSync(1, JSON.parse(manifest).version + "\n");
    return;
  }
  // A stack then names files and lines of the sources; reading the maps takes time, so only on request.
  if (words.indexOf("--debug") !== -1) process.setSourceMapsEnabled(true);
  // Compiled code is kept in the user's own cache: the default, a folder in /tmp, is open to others.
  var cache = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, ".cache"));
  if (cache) process.getBuiltinModule("node:module").enableCompileCache(path.join(cache, "pctl", "compiled"));
  import("../dist/main.js").catch(function (error) {
    var unbuilt = error.code === "ERR_MODULE_NOT_FOUND" && String(error.url).endsWith("/cli/dist/main.js");
    if (!unbuilt) throw error;
    process.stderr.write("pctl is not built yet: run `npm run build` in its repository\n");
    process.exitCode = 1;
  });
}
