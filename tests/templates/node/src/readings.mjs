// An ES module with a promise: logs every reading of a batch of Kafka records.
export async function take(event, context) {
  for (const record of Object.values(event.records).flat()) {
    const reading = JSON.parse(Buffer.from(record.value, 'base64').toString());
    console.log(`${reading.place}: ${reading.celsius} ${process.env.UNIT}`);
  }
  return { left: context.getRemainingTimeInMillis() > 0 };
}
