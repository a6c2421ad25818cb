// A link that signs in once. Its secret stands behind the "#", which browsers never send by
// themselves: it goes into the form here, and out of the address.
import "./base.js";

const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
document.getElementById("secret").value = secret;
// Whoever changes the language first comes back here by a redirect, which keeps what is behind "#".
document.querySelector("form[action='/language']").action += `#${secret}`;
