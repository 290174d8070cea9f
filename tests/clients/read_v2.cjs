// Asks a page everything that the npm package statuspage.io can ask, and prints the answers as JSON.
const { Statuspage } = require("statuspage.io");

const client = new Statuspage("unused");
client.setApiUrl(process.argv[2]);

async function main() {
  const { api } = client;
  const answers = {
    components: await api.getComponents(),
    status: await api.getStatus(),
    summary: await api.getSummary(),
    incidents: await api.incidents.getAll(),
    unresolved: await api.incidents.getUnresolved(),
    upcoming: await api.scheduledMaintenances.getUpcoming(),
  };
  process.stdout.write(JSON.stringify(answers));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
