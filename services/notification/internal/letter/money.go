package letter

import (
	"fmt"
	"strconv"
)

// money writes an amount of minor units, such as 17.98 EUR.
func money(amount int64, currency string) string {
	sign, units := "", uint64(amount)
	if amount < 0 {
		sign, units = "-", -units
	}
	text, digits := strconv.FormatUint(units, 10), minorDigits(currency)
	if digits > 0 {
		text = fmt.Sprintf("%0*s", digits+1, text)
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	return sign + text + " " + currency
}

// minorDigits is how many digits the minor unit of a currency has by ISO 4217. CLDR, which libraries go by, counts
// those in daily use, which are fewer for some: there, an Iraqi dinar has no fils.
func minorDigits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
		"XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}
