// SPDX-License-Identifier: Apache-2.0
// What Go clients (terraform, external-dns, cert-manager, lego) do by gophercloud: log in, then a zone and a
// recordset from create to delete. Prints a line for each step; ends with 1 where a step fails. Reads OS_*.
package main

import (
	"fmt"
	"os"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/dns/v2/recordsets"
	"github.com/gophercloud/gophercloud/openstack/dns/v2/zones"
)

func must(step string, err error) {
	if err != nil {
		fmt.Println(step, "failed:", err)
		os.Exit(1)
	}
	fmt.Println(step)
}

func main() {
	login, err := openstack.AuthOptionsFromEnv()
	must("options", err)
	provider, err := openstack.AuthenticatedClient(login)
	must("login", err)
	dns, err := openstack.NewDNSV2(provider, gophercloud.EndpointOpts{})
	must("catalog", err)

	apex := os.Args[1]
	zone, err := zones.Create(dns, zones.CreateOpts{Name: apex, Email: "joe@example.org", TTL: 300}).Extract()
	must("zone create", err)
	description := "changed"
	_, err = zones.Update(dns, zone.ID, zones.UpdateOpts{TTL: 600, Description: &description}).Extract()
	must("zone update", err)
	pages, err := zones.List(dns, zones.ListOpts{Name: apex}).AllPages()
	must("zone list", err)
	found, err := zones.ExtractZones(pages)
	if err == nil && (len(found) != 1 || found[0].TTL != 600 || found[0].ID != zone.ID) {
		err = fmt.Errorf("%+v", found)
	}
	must("zone found", err)

	record, err := recordsets.Create(dns, zone.ID, recordsets.CreateOpts{
		Name: "www." + apex, Type: "A", TTL: 10, Records: []string{"192.0.2.1"}}).Extract()
	must("recordset create", err)
	ttl := 0
	_, err = recordsets.Update(dns, zone.ID, record.ID, recordsets.UpdateOpts{
		TTL: &ttl, Records: []string{"192.0.2.2", "192.0.2.1"}}).Extract()
	must("recordset update", err)
	shown, err := recordsets.Get(dns, zone.ID, record.ID).Extract()
	if err == nil && fmt.Sprint(shown.Records) != "[192.0.2.2 192.0.2.1]" {
		err = fmt.Errorf("%+v", shown)
	}
	must("recordset show", err)
	all, err := recordsets.ListByZone(dns, zone.ID, recordsets.ListOpts{Limit: 2}).AllPages()
	must("recordset list", err)
	sets, err := recordsets.ExtractRecordSets(all)
	if err == nil && len(sets) != 3 {
		err = fmt.Errorf("%d recordsets", len(sets))
	}
	must("recordset pages", err)

	must("recordset delete", recordsets.Delete(dns, zone.ID, record.ID).ExtractErr())
	_, err = zones.Delete(dns, zone.ID).Extract()
	must("zone delete", err)
}
