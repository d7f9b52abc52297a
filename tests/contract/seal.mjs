// A sealed box for a secret: node seal.mjs VALUE <public-key.json >body-of-the-put.json
import {readFileSync} from 'node:fs';
import sodium from 'libsodium-wrappers';

await sodium.ready;
const {key, key_id} = JSON.parse(readFileSync(0, 'utf8'));
const box = sodium.crypto_box_seal(sodium.from_string(process.argv[2]), sodium.from_base64(key, sodium.base64_variants.ORIGINAL));
console.log(JSON.stringify({encrypted_value: sodium.to_base64(box, sodium.base64_variants.ORIGINAL), key_id}));
