// Behaviour shared by all pages: each part looks for its own data attributes.
"use strict";
