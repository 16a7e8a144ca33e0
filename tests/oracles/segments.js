// Each line of input is a text as JSON; each line of output is [encoding, segments] as sms-segments-calculator says.
const { SegmentedMessage } = require("sms-segments-calculator");

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const message = new SegmentedMessage(JSON.parse(line));
    process.stdout.write(JSON.stringify([message.getEncodingName(), message.segmentsCount]) + "\n");
  });
