/**
 * `pctl --help`, written out: rendering it loads commander and all definitions, which takes as long again as starting Node. A test holds
 * it to what they make of it.
 */
export const rootHelpText = `pctl deploys the services of pctl.yaml, and keeps them running the way it says.

Usage: pctl <command> [options]

Begin
  init           write a first pctl.yaml for this folder
  check          all problems of the file, before anything is touched
  doctor         check this machine and every provider, and say what to do

Change
  plan           show what deploy would do, and change nothing
  deploy, up     bring what runs to what the file declares
  destroy, down  remove services; volumes stay unless asked for
  rollback       undo the last change, or bring a service's older release back
  promote        go on with a release that is paused at a step
  abort          take back a release that is paused: the one before serves alone
  scale          change the number of replicas, until the next deploy
  start          start services that were stopped
  stop           stop services; start or deploy brings them back
  restart        replace every replica by a new one of the same release

Look
  status, ps     what runs, which release, how well
  logs           what services print
  exec           run a command in a running replica
  run            run a command in a fresh replica, without traffic
  history        changes and releases; one of them with its output
  config         the file as it was understood: environment merged, expressions resolved, values masked
  providers      the platforms of this stack, and what they can do

Keep up
  state          the state file and the lease: show, rebuild, unlock
  local          the processes behind the provider \`local\`: status, start, stop
  schema         the JSON Schema of pctl.yaml
  version        versions of pctl and Node

Options of every command
  -c, --config <FILE>     the declaration (default pctl.yaml)
      --name <NAME>       name of the stack, instead of the file's
      --env <NAME>        environment (default $PCTL_ENV)
      --env-file <FILE>   where secrets are looked up, after the environment (repeatable)
      --json              one JSON document, or one event a line
  -y, --yes               do not ask
  -q, --quiet             errors and the last line only
      --debug             stack traces, and calls of providers
      --timeout <TIME>    give up after this time, e.g. 10m
      --lock-wait <TIME>  wait this long for somebody else's change (default: as long as a lease runs)
      --no-color          no colours (also NO_COLOR=1)
  -V, --version           the version of pctl
  -h, --help              help on pctl, or on a command

pctl <command> --help says more, with examples. A first time: pctl init, pctl plan, pctl deploy.
`;
