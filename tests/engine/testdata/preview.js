// Previews the program of the working directory through Pulumi's automation API
// and prints, as JSON, how many resources each operation would touch.
const { LocalWorkspace } = require("@pulumi/pulumi/automation");

async function main() {
    const program = async () => require(`${process.cwd()}/bin/index.js`);
    const stack = await LocalWorkspace.createOrSelectStack({ stackName: "check", projectName: "chat-typescript", program });
    const result = await stack.preview();
    console.log(JSON.stringify(result.changeSummary));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
