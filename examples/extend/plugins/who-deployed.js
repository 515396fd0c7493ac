// A plugin: a function of the parsed declaration, which it may change in place. It runs after `${…}` is resolved and
// before the declaration is checked, so a mistake here is reported like one in the file.
export default async function whoDeployed(stack) {
  for (const service of Object.values(stack.services)) {
    service.env = { ...service.env, DEPLOYED_FOR: stack.name };
  }
}
