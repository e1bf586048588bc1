package main

import (
	"fmt"
	"strings"
)

// text makes up a string that the functions of a configuration can work with: an ARN that splits into six parts,
// JSON that decodes, base64 that decodes, a URL with a host, an account of twelve digits.
func (i inventor) text(path string) string {
	name := path[strings.LastIndex(path, ".")+1:]
	for _, rule := range plausible {
		if rule.matches(name) {
			return rule.make(i, path, name)
		}
	}
	return strings.ReplaceAll(name, "_", "-") + "-" + i.token(path)
}

type rule struct {
	matches func(name string) bool
	make    func(i inventor, path, name string) string
}

var plausible = []rule{
	{ending("arn"), inventor.arn},
	{named("id"), func(i inventor, path, _ string) string { return lastWord(i.typeName) + "-" + i.token(path) }},
	{named("region"), func(i inventor, _, _ string) string { return i.region }},
	{named("account_id", "owner_id"), constant(inventedAccount)},
	{named("partition"), constant("aws")},
	{named("dns_suffix"), constant("amazonaws.com")},
	{ending("json"), constant(`{"Statement":[],"Version":"2012-10-17"}`)},
	{named("data", "cluster_ca_certificate"), constant("aW52ZW50ZWQ=")},
	{named("registry_uri", "repository_url"), func(i inventor, path, name string) string { return i.host(path, name) + "/images" }},
	{ending("url", "issuer", "uri"), inventor.url},
	{named("endpoint"), inventor.endpoint},
	{ending("address", "hostname", "dns_name", "domain_name"), inventor.host},
	{ending("cidr", "cidr_block"), constant("10.0.0.0/16")},
}

// services gives the service part of an ARN where the second word of the type does not.
var services = map[string]string{
	"vpc": "ec2", "subnet": "ec2", "security": "ec2", "eip": "ec2", "nat": "ec2", "internet": "ec2", "route": "ec2",
	"launch": "ec2", "flow": "ec2", "db": "rds", "lb": "elasticloadbalancing", "cloudwatch": "logs", "caller": "sts",
}

// named services of attributes that point at another service's resource, such as master_user_secret.secret_arn.
var servicesOfAttributes = map[string]string{
	"secret_arn": "secretsmanager", "role_arn": "iam", "kms_key_arn": "kms", "kms_key_id": "kms",
}

func (i inventor) arn(path, name string) string {
	service, pointsElsewhere := servicesOfAttributes[name]
	if !pointsElsewhere {
		service = i.service()
	}
	switch service {
	case "iam":
		return fmt.Sprintf("arn:aws:iam::%s:role/%s", inventedAccount, i.token(path))
	case "s3":
		return "arn:aws:s3:::" + i.token(path)
	}
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, i.region, inventedAccount, lastWord(i.typeName), i.token(path))
}

// service is the second word of the type, or the service that owns the type.
func (i inventor) service() string {
	words := strings.Split(i.typeName, "_")
	if len(words) < 2 {
		return words[0]
	}
	if owner, found := services[words[1]]; found {
		return owner
	}
	return words[1]
}

func (i inventor) host(path, _ string) string {
	return fmt.Sprintf("%s.%s.%s.amazonaws.com", i.token(path), i.service(), i.region)
}

func (i inventor) url(path, name string) string { return "https://" + i.host(path, name) }

// endpoint is a URL for a cluster's API, and host and port for a database.
func (i inventor) endpoint(path, name string) string {
	if i.service() == "eks" {
		return i.url(path, name)
	}
	return i.host(path, name) + ":5432"
}

func lastWord(name string) string { return name[strings.LastIndex(name, "_")+1:] }

func constant(text string) func(inventor, string, string) string {
	return func(inventor, string, string) string { return text }
}

func named(names ...string) func(string) bool {
	return func(name string) bool {
		for _, one := range names {
			if name == one {
				return true
			}
		}
		return false
	}
}

// ending matches a name that is one of the words or ends in "_" and one of them.
func ending(words ...string) func(string) bool {
	return func(name string) bool {
		for _, word := range words {
			if name == word || strings.HasSuffix(name, "_"+word) {
				return true
			}
		}
		return false
	}
}
