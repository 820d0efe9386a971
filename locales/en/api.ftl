# Exports, and what the API says beyond the pages.

export-sheet = Customers
export-client-uid = Client UID
export-client-account = Client account
export-country = Country
export-status = Status
export-reward-usd = Reward (USD)
export-rebate-usd = Rebate (USD)
export-owner = Owner
export-partner-account = Partner account
export-account-type = Account type
export-currency = Currency
export-lots = Lots
export-reward = Reward (account currency)
