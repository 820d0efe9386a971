# Texts of the pages.

web-unknown-value = –
web-incl-xm = incl. XM
web-sign-in = Sign in
web-sign-out = Sign out
