/** `npm start`, `npm run preview`, `npm run bridge` and `npm test`: says what is missing, or runs the command. It runs on every Node.js since version 8. */
const { findProblems } = require("./prerequisites.js");

const [, , command, ...args] = process.argv;

findProblems(command, args, (problems) => {
  if (problems.length > 0) {
    const name = { start: "npm start", test: "npm test" }[command] || `npm run ${command}`;
    const count = problems.length === 1 ? "one thing is" : `${problems.length} things are`;
    console.error(`${name} cannot begin, because ${count} missing:\n${problems.map((one) => `  - ${one}`).join("\n")}`);
    process.exitCode = 1;
    return;
  }
  // A file of its own, because an old Node.js cannot load what it loads.
  require("./launch.js")
    .launch(command, args)
    .catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
});
