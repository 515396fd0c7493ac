// A resolver: `${rot13:key}` becomes what `resolve` returns. undefined means absent: then the fallback stands, as in
// `${rot13:key, other}`. A failure is thrown, and no fallback stands for it. `secret: true` would have its values masked
// in plans and logs for good.
export default {
  name: "rot13",
  secret: false,
  resolve(key) {
    return key.replace(/[a-z]/gi, (letter) => {
      const first = letter <= "Z" ? 65 : 97;
      return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
    });
  },
};
