# What can be wrong with concord.toml. The text is the headline, `.label` stands at the place in
# the file, `.help` says what to do. Values of secrets are never among the arguments.

config-not-found = There is no configuration file { $file }
    .help = `concord init` writes one; `--config FILE` or CONCORD_CONFIG names another.
config-not-readable = { $file } cannot be read: { $detail ->
        [missing] there is no such file
        [denied] permission denied
       *[other] { $detail }
    }
    .help = Check that the file is readable by this user and is UTF-8 text.
config-syntax = This is not valid TOML: { $detail }
    .label = here
    .help = Texts stand in quotes: key = "value". A section starts with [name].
config-section-twice = { $section } stands there twice, in lines { $first } and { $second }
    .label = the second
    .help = Put the settings of both below one { $section }; another system needs another name.
config-key-twice = This setting stands there twice
    .label = the second
    .help = Keep one of the two lines.
config-unknown-key = { $place } has no setting `{ $key }`
    .label = not known here
    .help = { $guess ->
        [none] Settings here: { $known }.
       *[other] Did you mean `{ $guess }`?
    }
config-missing-key = { $place } needs `{ $key }`
    .label = `{ $key }` is missing in this section
    .help = Add a line { $key } = …; concord.default.toml explains each setting.
config-wrong-type = `{ $key }` must be { $expected ->
        [text] a text in quotes
        [truth] true or false
        [whole] a whole number
        [number] a number
        [list] a list in square brackets
        [table] a section of settings
       *[other] of another kind
    }
    .label = this is { $found ->
        [text] a text
        [truth] a truth value
        [whole] a whole number
        [number] a number
        [list] a list
        [table] a section
        [date] a date without quotes
       *[other] something else
    }
    .help = { $expected ->
        [text] Write { $key } = "…".
        [truth] Write { $key } = true or { $key } = false, without quotes.
        [whole] Write { $key } = 4, without quotes.
        [number] Write { $key } = 2.5, without quotes.
        [list] Write { $key } = ["…"].
       *[other] Write [{ $key }] on a line of its own, and its settings below.
    }
config-invalid = `{ $key }` is not valid: { $detail }
    .label = here
config-zero = `{ $key }` must be more than zero
    .label = this
config-empty = `{ $key }` must not be empty
    .label = this
    .help = Leave the line out if there is nothing to say.
config-bad-duration = { $value } is not a length of time
    .label = this
    .help = Write a number with its unit: "30s", "5m", "1h", "30d".
config-short-interval = `every` must be at least one second
    .label = this
config-bad-cron = { $value } is not a schedule
    .label = this
    .help = Five fields: minute, hour, day, month, weekday. "0 * * * *" is every full hour, "30 2 * * *" daily at 02:30.
config-cron-never = The schedule { $value } never comes
    .label = no date fits this
config-two-schedules = { $place } has both `every` and `cron`
    .label = the second schedule
    .help = Keep one of the two.
config-bad-timezone = { $value } is not a time zone
    .label = this
    .help = Use a name like "Asia/Tehran", "Europe/Simferopol" or "UTC". On a minimal system the package tzdata may be missing.
config-bad-date = { $value } is not a date
    .label = this
    .help = Write a date like "2010-01-31": year, month, day.
config-bad-region = { $value } is not a region
    .label = this
    .help = Two letters: "IR", "RU", "TH".
config-bad-md5 = `{ $key }` is not the MD5 form of a password
    .label = this
    .help = 32 hexadecimal digits; or give the password itself as `password`.
config-bad-currency = { $value } is not a currency
    .label = this
    .help = Three capital letters: "RUB", "KZT", "EUR".
config-bad-address = { $value } is not an address to listen on
    .label = this
    .help = Write address and port: "127.0.0.1:8080", or "0.0.0.0:8080" for every interface.
config-bad-url = { $value } is not a web address
    .label = this
    .help = It starts with https:// and names a host: "https://host.example".
config-url-credentials = The address holds a user name or password
    .label = before the @
    .help = Give them in settings of their own.
config-plaintext = { $place } would send its password unencrypted
    .label = http, not https
    .help = Use https, or write allow_plaintext = true in this section if the network is your own.
config-bad-network = { $value } is not a network
    .label = this
    .help = Write an address, or one with the number of fixed bits: "172.16.0.0/12".
config-bad-database = { $value } is not a database Concord can use
    .label = this
    .help = "sqlite:concord.db", or "postgres://user:password@host/database".
config-bad-smtp = The address of the mail server is not valid
    .label = this
    .help = "smtps://user:password@host", or "smtp://host:587".
config-bad-mail = { $value } is not a mail address
    .label = this
config-no-recipient = Alerts by mail need someone to go to
    .label = a mail server without `to`
    .help = Add to = ["you@example.com"].
config-bad-name = `{ $name }` cannot name a system
    .label = this name
    .help = Small letters, digits, - and _, at most 40, starting with a letter; not `all`.
config-missing-kind = [systems.{ $name }] does not say what kind of system it is
    .label = `kind` is missing in this section
    .help = Add kind = "…": { $known }.
config-unknown-kind = There is no kind of system { $value }
    .label = not known
    .help = { $guess ->
        [none] Known kinds: { $known }.
       *[other] Did you mean "{ $guess }"? Known kinds: { $known }.
    }
config-missing-timezone = { $place } needs `timezone`
    .label = the times of this system come without a zone
    .help = Add timezone = "Europe/Simferopol", or wherever its clock is read.
config-unknown-entity = { $value } is nothing that a flow carries
    .label = this entity
    .help = Write "customer", "quote" or "invoice".
config-flow-documents = { $place } cannot go by { $name }: it has no { $stream }, or takes no pre-invoices
    .label = this system
    .help = Quotes and invoices go from a payamgostar system (with quotes = true, invoices = true) to a siagh system.
config-flow-after = { $place } needs a flow of customers that it goes after
    .label = no such flow
    .help = Write after = "customers", or the name of your flow with entity = "customer" from and to the same two systems.
config-bad-amount = { $key } is no amount
    .label = this
    .help = Write a number like "1" or "0.5", not less than nothing.
config-bad-flow-name = `{ $name }` cannot name a flow
    .label = this name
    .help = Small letters, digits, - and _, at most 40, starting with a letter; not `all`, and not the name of a system.
config-flow-system = { $place } goes between systems that hold customers; { $name } is none of them
    .label = this system
    .help = Write the name of a system of kind payamgostar or siagh, as it stands in [systems.NAME].
config-flow-circle = { $place } leads back to where it begins
    .label = the same system
    .help = `from` is the master, `to` the system that follows it.
config-unknown-field = { $key } holds a word that is no field of a customer
    .label = one of these
    .help = Fields: number, kind, name, national_id, mobile, telephone, email, website, address, city, province, country, postal_code, gender, notes, active.
config-bad-time = { $key } is no time of day
    .label = this
    .help = Write hours and minutes: "03:00".
config-owner-twice = `{ $name }` has two owners
    .label = the second
    .help = Upper and lower case and spaces do not tell names apart. Keep one of the two.
config-missing-variable = The environment variable { $name } is not set
    .label = named here
    .help = Set { $name } before starting Concord (export { $name }=…, or the service's environment file).
config-missing-file = The file { $file } cannot be read: { $detail ->
        [missing] there is no such file
        [denied] permission denied
       *[other] { $detail }
    }
    .label = named here
    .help = A relative path starts at the folder of the configuration file.
config-open-reference = This reference is not complete
    .label = here
    .help = {"${"}NAME{"}"} takes an environment variable, {"${"}file:PATH{"}"} the content of a file; a plain {"${"} is written {"$${"}.
