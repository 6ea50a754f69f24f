package httpapi

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// currencies are the active codes of ISO 4217 in which prices are named: funds, metals and test codes are not.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD " +
	"CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL " +
	"LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR " +
	"PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP " +
	"TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// Currency reports whether code is an active ISO 4217 code, in capitals.
func Currency(code string) bool {
	return len(code) == 3 && plainName(code) && strings.Contains(currencies, " "+code+" ")
}

// CurrencyCode is a string in a body that must pass Currency.
type CurrencyCode string

var (
	_ huma.ResolverWithPath = (*CurrencyCode)(nil)
	_ huma.SchemaProvider   = CurrencyCode("")
)

// Resolve refuses what Currency does. An empty one is left to the schema.
func (c *CurrencyCode) Resolve(_ huma.Context, path *huma.PathBuffer) []error {
	if *c == "" || Currency(string(*c)) {
		return nil
	}
	return []error{At(path, FieldFormat, currencyWords)}
}

const currencyWords = "must be a currency code of ISO 4217 such as EUR"

// Schema describes the string in OpenAPI.
func (CurrencyCode) Schema(huma.Registry) *huma.Schema {
	length := 3
	s := &huma.Schema{
		Type: huma.TypeString, MinLength: &length, MaxLength: &length,
		Pattern: "^[A-Z]{3}$", Description: "ISO 4217", Examples: []any{"EUR"},
	}
	s.PrecomputeMessages()
	return s
}
