// CommonJS with a callback, which answers once nothing is left to do.
exports.handler = (event, context, callback) => {
  const number = Number(event.pathParameters.number);
  setTimeout(() => {
    if (Number.isNaN(number)) {
      callback(new TypeError('a number was expected'));
    } else {
      callback(null, { statusCode: 200, body: JSON.stringify({ square: number * number }) });
    }
  }, 1);
};
